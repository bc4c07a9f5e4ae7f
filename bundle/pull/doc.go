// Package pull brings artifacts from other machines: blobs and manifests from
// registries that speak the OCI distribution protocol, and files from plain
// HTTPS servers. It is the only door to go-containerregistry, of which it uses
// the reference grammar, the credentials of the docker configuration and the
// handshakes; the requests are made here, because what is pulled is hostile:
//
//   - What has a digest is verified while it is read, and what has a size is
//     never longer. There is no way to get a blob without naming both.
//   - Manifests, redirects, attempts, pauses and the time in which nothing
//     comes are bounded, each by a limit with a name.
//   - A download that breaks off goes on where it stopped, if the server can.
//   - Credentials go to the host that the docker configuration has them for,
//     and to the token service that this host names; never along a redirect.
//   - Plain HTTP is spoken to this machine itself. For any other host it has to
//     be asked for (Client.InsecureHTTP), also when the host has a private
//     address, and a redirect never leads from https to http.
//
// Nothing here is read from the folder or the artifact that is audited. The
// docker configuration is the user's own (authn.DefaultKeychain: $DOCKER_CONFIG
// or ~/.docker/config.json, podman's auth.json as well), and a credential
// helper is run only if that file names it.
package pull
