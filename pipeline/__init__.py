"""Everything that works without a screen: photos, jobs and the stages they run."""
