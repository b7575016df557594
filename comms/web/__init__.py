"""The web face: what readers reach by the links in their mail, and the public pages and feeds."""
