"""The clusterer: turns vectors into a tree of clusters that people can read and correct."""
