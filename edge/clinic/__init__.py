"""What a clinic is made of: decision tables, packs and numbers to call. Data only; the rules live in `edge.triage`."""
