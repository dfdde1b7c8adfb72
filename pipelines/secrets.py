"""Where steps on a cluster find the keys of the object store: in a Kubernetes secret, never in the YAML."""

from kfp import dsl, kubernetes

#: Secret in the namespace of the runs; without it steps see the environment of their service account alone.
SECRET = "glassline-s3"  # noqa: S105 - its name

_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL")


def with_s3(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Let a step that reads or writes captures see the secret's variables, and return the step."""
    kubernetes.use_secret_as_env(task, SECRET, {name: name for name in _VARIABLES}, optional=True)
    return task
