"""What a clerk does at the desk."""
