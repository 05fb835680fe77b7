"""What an alert's condition says, read strictly: what is not understood is not compared."""
