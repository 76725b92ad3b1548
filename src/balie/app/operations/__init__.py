"""What whoever runs Balie does with a store as a whole: look at it, copy it, put it back, move it."""
