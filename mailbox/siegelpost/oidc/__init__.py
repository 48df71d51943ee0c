"""OpenID Connect relying party: authorization code flow with PKCE (OpenID Connect Core 1.0).

Shared by the portal (citizens: a Keycloak in front of BundID) and the console (staff).
It says who logged in elsewhere; what that person may do here is the caller's business.
A login here never unlocks a mailbox (DESIGN section 6).
"""
