"""The web site, rendered on the server from the GraphQL API.

Owns the pages, their templates, styles and scripts, and the live stream to browsers. What must hold: no database here,
everything is asked of the API; every page works without JavaScript; nothing is loaded from other hosts but EVE's
images, and those may be missing; every text from outside is escaped by the template engine.
"""
