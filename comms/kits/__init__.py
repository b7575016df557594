"""What a coalition hands to associations that send with a tool of their own: kits, signed feeds, keyed tokens."""
