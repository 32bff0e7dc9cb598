#!/usr/bin/env bash
# Builds and pushes the image of each component, tagged by the hash of what is in it; and copies Kafdrop's, for
# Docker Hub limits addresses that many share, and tasks without a way to the internet cannot reach it at all.
set -euo pipefail
: "${REGISTRY:?}" "${REPOSITORIES:?}" "${BASE_REGISTRY:?}" "${TAG_JOBS:?}" "${TAG_PRODUCER:?}" "${TAG_DASHBOARD:?}" "${TAG_KAFDROP:?}"

# is_there COMPONENT TAG
is_there() {
  aws ecr describe-images --repository-name "$REPOSITORIES/$1" --image-ids "imageTag=$2" >/dev/null 2>&1
}

aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"

for component in jobs producer dashboard; do
  name=TAG_${component^^}
  tag=${!name}
  if is_there "$component" "$tag"; then
    echo "image $component:$tag is there"
    continue
  fi
  image=$REGISTRY/$REPOSITORIES/$component:$tag
  docker build --build-arg "BASE_REGISTRY=$BASE_REGISTRY" --file "$component/Dockerfile" --tag "$image" .
  docker push --quiet "$image"
done

if is_there kafdrop "$TAG_KAFDROP"; then
  echo "image kafdrop:$TAG_KAFDROP is there"
else
  docker pull --quiet "obsidiandynamics/kafdrop:$TAG_KAFDROP"
  docker tag "obsidiandynamics/kafdrop:$TAG_KAFDROP" "$REGISTRY/$REPOSITORIES/kafdrop:$TAG_KAFDROP"
  docker push --quiet "$REGISTRY/$REPOSITORIES/kafdrop:$TAG_KAFDROP"
fi
