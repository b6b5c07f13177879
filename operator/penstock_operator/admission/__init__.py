"""What `kubectl apply` is refused, and the parts of the webhook that do no I/O."""
