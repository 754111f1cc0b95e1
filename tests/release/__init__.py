"""What is published: wheel, sdist, and the list of what they bring along."""
