"""GatewayDeployments -> the Kubernetes objects that run them."""
