"""What a driver sees and does on the phone."""
