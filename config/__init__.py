"""Settings, URLs, the task application and the processes that run the mall."""
