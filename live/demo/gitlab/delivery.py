"""GitLab's webhooks: a push calls every hook that wants it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests

NOTHING = "0" * 40
EVENTS = {
    "refs/heads/": ("push", "Push Hook", "push_events"),
    "refs/tags/": ("tag_push", "Tag Push Hook", "tag_push_events"),
}
SECONDS = 10


def pushed_refs(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """(ref, old commit, new commit) of each branch and tag that differs."""
    for ref in sorted(before.keys() | after.keys()):
        old, new = before.get(ref, NOTHING), after.get(ref, NOTHING)
        if old != new:
            yield ref, old, new


def deliver(hooks: list[dict[str, Any]], push: tuple[str, str, str], *, project: str, default_branch: str) -> list[int]:
    """The status that each hook answered; 0 where nobody did."""
    ref, before, after = push
    prefix = next((prefix for prefix in EVENTS if ref.startswith(prefix)), "")
    if not prefix:
        return []
    kind, event, wish = EVENTS[prefix]
    body = {
        "object_kind": kind,
        "ref": ref,
        "before": before,
        "after": after,
        "checkout_sha": after,
        "project": {"id": 1, "path_with_namespace": project, "default_branch": default_branch},
    }
    return [_post(hook, event, body) for hook in hooks if hook.get(wish)]


def _post(hook: Mapping[str, Any], event: str, body: Mapping[str, Any]) -> int:
    headers = {"X-Gitlab-Event": event, "X-Gitlab-Token": str(hook.get("token", ""))}
    try:
        return requests.post(str(hook["url"]), json=body, headers=headers, timeout=SECONDS).status_code
    except requests.RequestException:
        return 0
