"""Takes the pictures that the README shows, from a real run of the demo."""
