// Once, when an element comes near the screen: what it needs is fetched then, and not before.
// Until then it is marked as `data-far`: print.css prints words in its place.
export function whenNear(element, act) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    delete element.dataset.far;
    act();
  }, { rootMargin: "400px" });
  element.dataset.far = "";
  observer.observe(element);
}
