"""Reading the feeds of others: asking for them politely, and making items of what comes."""
