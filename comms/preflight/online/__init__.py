"""What only the network can tell of a campaign: whether its links lead anywhere, what the DNS says of its sender."""
