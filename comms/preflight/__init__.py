"""What should be mended in a campaign before anyone gets it: rules over what is handed in; most open nothing."""
