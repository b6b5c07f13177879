"""Live sockets: clients, backends, pools and their time limits."""
