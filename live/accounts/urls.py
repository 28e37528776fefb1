"""The addresses for signing in: those of allauth's that this site wants, and no other."""

from __future__ import annotations

from allauth.account import views
from django.urls import include, path
from django.views.generic import RedirectView

from live.accounts.views.invitations import invitation
from live.accounts.views.sign_on import sign_on
from live.accounts.views.support_view import end_support_view

urlpatterns = [
    # One page under both of allauth's names: whoever has to sign in is asked for an e-mail address first.
    path("login/", views.request_login_code, name="account_request_login_code"),
    path("login/", views.request_login_code, name="account_login"),
    path("login/code/", views.confirm_login_code, name="account_confirm_login_code"),
    path("login/password/", views.login, name="account_password_login"),
    path("sign-on/<str:token>/", sign_on, name="sign_on"),
    path("invitations/<str:token>/", invitation, name="invitation"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("password/set/", views.password_set, name="account_set_password"),
    path("two-factor/", include("allauth.mfa.urls")),
    path("sessions/", include("allauth.usersessions.urls")),
    path("support-view/end/", end_support_view, name="end_support_view"),
    # allauth's mail to an unknown address asks for this name; there is nothing to sign up for.
    path("signup/", RedirectView.as_view(pattern_name="account_login"), name="account_signup"),
]
