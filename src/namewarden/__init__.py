"""A DNS firewall that judges names."""
