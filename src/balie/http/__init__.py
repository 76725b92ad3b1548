"""The web server's rooms put together: the API of each capability, pages, assets and health."""
