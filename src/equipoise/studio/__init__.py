"""The studio: a local page to watch trainings, steer them, and use what they made.

`app` is the web application, `server` serves it, and each part of the page has a
package with its routes: `learn`, `training` and `use`. The front end in `static` is ES
modules without a build step.
"""
