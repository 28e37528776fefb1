"""The addresses of account pages inside the portal; live.urls puts them into its namespace."""

from __future__ import annotations

from django.urls import URLPattern, path

from live.accounts.views import profile, team

TEAM = "customers/<slug:number>/team/"
INVITATION = f"{TEAM}invitations/<int:invitation>/"

urlpatterns: list[URLPattern] = [
    path(TEAM, team.team, name="team"),
    path(f"{TEAM}<int:member>/role/", team.member_role, name="member_role"),
    path(f"{TEAM}<int:member>/removal/", team.member_removal, name="member_removal"),
    path(f"{INVITATION}sending/", team.invitation_sending, name="invitation_sending"),
    path(f"{INVITATION}revocation/", team.invitation_revocation, name="invitation_revocation"),
    path("profile/", profile.profile, name="profile"),
]
