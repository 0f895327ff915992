"""Headless Chromium, and pages as it photographs them."""
