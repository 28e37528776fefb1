"""How far a launch has come, by what Compose 2 wrote until then."""

from __future__ import annotations

import pytest

from infrastructure.adapters.compose.progress import PREPARING, Stage, stage_of

BUILT = " Service csw  Building\n Service csw  Built\n csw  Built\n"
CLASSIC = (
    "Sending build context to Docker daemon     542B\nStep 5/5 : LABEL x=y\nSending build context to Docker daemon\n"
)
CREATED = " Network p_default  Created\n Container p-csw-1  Created\n Container p-my-db-1  Created\n"

OUTPUTS = [
    ("nothing yet", "", "", PREPARING),
    ("pulling", "", " csw Pulling \n", Stage(message="Downloading csw", progress_note="Downloading csw")),
    ("building", "", " Service csw  Building\n", Stage(message="Building csw", progress_note="Building csw")),
    (
        "a step of the classic builder",
        f"{CLASSIC}Step 1/7 : FROM x\nStep 3/7 : RUN y\n",
        f"{BUILT} Service wms  Building\n",
        Stage(message="Building wms (step 3 of 7)", progress_note="Building wms"),
    ),
    (
        "a service just begun, not the step of the one before",
        CLASSIC,
        f"{BUILT} Service wms  Building\n",
        Stage(message="Building wms", progress_note="Building wms"),
    ),
    (
        "a step of BuildKit",
        "",
        " Service csw  Building\n#4 [internal] load .dockerignore\n#7 [csw build 2/4] RUN make\n",
        Stage(message="Building csw (step 2 of 4)", progress_note="Building csw"),
    ),
    (
        "creating",
        "",
        f"{BUILT}{CREATED}",
        Stage(message="Starting 0 of 2 services", progress_note="Starting the services"),
    ),
    (
        "a dependency that is not healthy yet",
        "",
        f"{BUILT}{CREATED} Container p-my-db-1  Started\n Container p-my-db-1  Waiting\n",
        Stage(
            message="Starting 1 of 2 services; waiting for my-db to be healthy", progress_note="Starting the services"
        ),
    ),
    (
        "all but done",
        "",
        f"{CREATED} Container p-my-db-1  Waiting\n Container p-my-db-1  Healthy\n Container p-csw-1  Started\n",
        Stage(message="Starting 2 of 2 services", progress_note="Starting the services"),
    ),
]


@pytest.mark.parametrize(("output", "errors", "shown"), [row[1:] for row in OUTPUTS], ids=[row[0] for row in OUTPUTS])
def test_the_stage_is_read_from_the_end(output: str, errors: str, shown: Stage) -> None:
    assert stage_of(output, errors, project="p") == shown
