"""Who may use the pages and the API: operators, their sign-ins, API keys."""
