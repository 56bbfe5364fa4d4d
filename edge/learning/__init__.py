"""What a learner did, how it is marked, and what to practise next."""
