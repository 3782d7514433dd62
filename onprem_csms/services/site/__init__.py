"""The site as a whole: overview, reports, housekeeping, the proof of the books."""
