"""What APIs were: revisions, their differences, and the way back."""
