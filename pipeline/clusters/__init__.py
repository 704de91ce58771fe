"""The clusterer: vectors to a tree of clusters that people can read and correct."""
