"""What is kept, and the words that every room shares."""
