#!/usr/bin/env bash
# A repository and the example app's image in it.
set -euo pipefail

aws ecr create-repository --repository-name app >/dev/null
uri=$(aws ecr describe-repositories --repository-names app --query 'repositories[0].repositoryUri' --output text)

# With Docker:
#   aws ecr get-login-password | docker login --username AWS --password-stdin "${uri%%/*}"
#   docker build -t "$uri:latest" ../app && docker push "$uri:latest"
neargate example-image push "$uri:latest"
