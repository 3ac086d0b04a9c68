"""Content in and out of files: tables, Rasa, Dialogflow ES."""
