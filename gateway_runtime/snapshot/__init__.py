"""What one gateway must serve: the wire between the operator and the runtime."""
