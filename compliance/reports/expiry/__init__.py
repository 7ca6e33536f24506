"""What has a last day: authorities of persons and places, equipment, and goods. It costs what is registered, not what the log holds."""
