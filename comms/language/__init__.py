"""The words that subscribers read, in their languages: tags, catalogues, dates. Knows no page and no mail."""
