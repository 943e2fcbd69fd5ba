"""Figures: speed, memory and accuracy, each by one command, side by side with a peer."""
