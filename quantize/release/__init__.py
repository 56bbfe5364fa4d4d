"""The whole way of a model: from a checkpoint folder to a release that devices run."""
