"""The engine every stage runs on: plan, job, progress, control."""
