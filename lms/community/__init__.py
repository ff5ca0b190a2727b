"""What people say about courses: reviews, and who keeps them decent. It does not know money, files or chat."""
