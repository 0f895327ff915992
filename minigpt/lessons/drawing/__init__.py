"""What the plots of several chapters share."""
