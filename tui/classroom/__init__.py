"""The app in the browsers of phones and tablets on the school's own network, served from the teacher's laptop."""
