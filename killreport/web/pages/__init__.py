"""The pages, one module each: it asks the API, arranges the answer, renders the template of the same name."""
