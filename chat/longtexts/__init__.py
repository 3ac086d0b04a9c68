"""Long texts of customers: answered at once by their most telling part, read as a whole later.

A message of settings.CHAT_LONG_TEXT_CHARACTERS and more leaves a row in the transaction that
stores it (training/analysis/work.py); a worker of its own reads it, and what was found goes to the
agents' pages, to the search, to REST and to webhooks. docs/analysis.md.
"""
