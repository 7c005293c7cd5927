// Passkeys need a browser that knows them and a page that is served over TLS or from localhost: what asks for one shows
// itself there alone. What the package reports as an error becomes a sentence beside the button.
if (window.PublicKeyCredential && window.isSecureContext) {
  for (const part of document.querySelectorAll("[data-passkey]")) part.hidden = false;
} else {
  for (const part of document.querySelectorAll("[data-passkey-missing]")) part.hidden = false;
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  for (const part of document.querySelectorAll("[data-passkey-fault]")) part.hidden = false;
});
