"""What a newsletter looks like to readers of all kinds: invented ones, pictures of their mails, a sheet of them."""
