"""MDL901 to MDL905: what `envcheck build` saw when it made, trained and saved the user's model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Location, Severity, check

if TYPE_CHECKING:
    from envcheck.building.facts import BuildFacts, BuildStep


@check("MDL901", "The module can be imported")
def imports(build: BuildFacts) -> Iterator[Finding]:
    """The module that holds the model cannot be imported.

    Cause: It raises, calls `sys.exit`, or works for longer than `--timeout` when it is imported: a training loop or a
    download at the top level runs on every import.

    How to fix: Follow the message. Put what trains behind `if __name__ == "__main__":`, so that an import only defines.

    Source: https://docs.python.org/3/library/__main__.html
    """
    step = build.reached("import")
    if step.status != "ok":
        hint = (
            "put what runs at the top of the module behind `if __name__ == '__main__':`"
            if step.status == "hung" or step.error == "SystemExit"
            else "repair the module: importing it in this environment shows the same"
        )
        yield build.trouble(step, "Importing the module", Fix(hint))


@check("MDL902", "The model can be built")
def builds(build: BuildFacts) -> Iterator[Finding]:
    """The model is not made, or cannot be called on inputs of the declared shapes.

    Cause: The name is no model and no function that makes one; or a layer refuses what reaches it. The finding names the
    innermost layer that raised, and the shapes and types that it got. Shapes are shown with the batch first.

    How to fix: Follow the message; give a model without declared input shapes some with `--input 224,224,3`.

    Source: https://keras.io/guides/functional_api/; https://keras.io/guides/making_new_layers_and_models_via_subclassing/
    """
    step = build.step("make")
    if step.status == "ok":
        step = build.reached("build")
    else:
        build.reached("make")
    if step.status == "ok":
        return
    undeclared = "--input" in step.message and step.error == "Wrong"
    fix = (
        "say the shapes with --input, once for each input, without the batch"
        if undeclared
        else "make the layer and what reaches it fit"
        if step.layer is not None
        else "name a model, or a function that needs no arguments and returns one"
        if step.name == "make" and step.error == "Wrong"
        else _how(step)
    )
    yield build.trouble(step, "Making the model" if step.name == "make" else "Calling the model", Fix(fix))


@check("MDL903", "The model is compiled")
def compiles(build: BuildFacts) -> Iterator[Finding]:
    """The model is not compiled, or cannot be.

    Cause: `model.compile(...)` was not called by the code that makes the model. `fit` refuses it then: "You must compile your
    model before training". envcheck compiles it with Adam and a loss that fits the outputs, to see the rest.

    How to fix: Nothing, where your own code compiles it later; call `model.compile(...)` in the function otherwise, so that
    the loss and the optimizer are judged as well.

    Source: https://keras.io/api/models/model_training_apis/#compile-method
    """
    step = build.reached("compile")
    if step.status != "ok":
        yield build.trouble(step, "Compiling the model", Fix(_how(step)))
    elif step.more.get("compiled") != "own":
        yield Finding(
            f"the model is not compiled: one step was tried with {step.more['compiled']}",
            Fix("compile it in the function that makes it, to have your own loss and optimizer judged"),
            Location(build.file),
            severity=Severity.NOTE,
        )


@check("MDL904", "One training step runs")
def trains(build: BuildFacts) -> Iterator[Finding]:
    """One step of `model.fit` on synthetic data fails, does not run on the device, or changes nothing.

    Cause: The loss does not fit the outputs or the targets; a layer works in `call` and not in training; the memory is not
    enough. Targets are made to fit the loss by its name; a loss of your own gets random numbers of the output's shape.

    How to fix: Follow the message. Where your targets have another shape than the outputs, the message shows which were tried.

    Source: https://keras.io/api/models/model_training_apis/#fit-method
    """
    step = build.reached("train")
    if step.status != "ok":
        tried = f" (targets: {step.more['targets']})" if step.more.get("targets") else ""
        yield build.trouble(step, f"One training step{tried}", Fix(_how(step)))
        return
    if step.more.get("finite") is False:
        yield Finding(
            "after one step on random data the loss is not a number",
            Fix("look at the loss, the learning rate, and logarithms or divisions in the model"),
            Location(build.file),
            severity=Severity.WARNING,
        )
    if step.more.get("changed") == 0 and build.step("build").more.get("trainable"):
        yield Finding(
            "one training step has not changed a single weight",
            Fix("look whether the loss depends on the weights, and whether the learning rate is 0"),
            Location(build.file),
            severity=Severity.WARNING,
        )


@check("MDL905", "The model can be saved and loaded")
def saves(build: BuildFacts) -> Iterator[Finding]:
    """The model cannot be saved, or not loaded, or predicts something else afterwards.

    Cause: A layer of your own lacks `get_config`, or its `__init__` needs arguments that `get_config` does not give; it makes
    its weights elsewhere than in `build`; or it is not registered, so that loading needs `custom_objects`.

    How to fix: Give the layer a `get_config` with every argument of its `__init__`, and decorate its class with
    `@keras.saving.register_keras_serializable()`.

    Source: https://keras.io/guides/serialization_and_saving/#custom-objects
    """
    step = build.reached("save_load")
    if step.status != "ok":
        saved = step.more.get("saved") is True
        yield build.trouble(
            step,
            "Loading the saved model" if saved and step.error != "Wrong" else "Saving and loading the model",
            Fix(_how_to_save(step)),
            severity=Severity.WARNING if saved else None,
        )
    elif step.more.get("uncompiled"):
        yield Finding(
            f"load_model fails as it is ({step.more['plain']}); it loads with compile=False, so that the loss, the metrics or "
            "the optimizer is what cannot be loaded",
            Fix(
                "give your own loss or metric a get_config with every argument of its __init__ and register it with "
                "@keras.saving.register_keras_serializable(); or load with compile=False and compile again"
            ),
            Location(build.file),
            severity=Severity.WARNING,
        )
    elif step.more.get("custom"):
        names = ", ".join(f"{name!r}: {name}" for name in step.more["custom"])
        yield Finding(
            f"load_model fails as it is ({step.more['plain']}); it loads with custom_objects={{{names}}}",
            Fix(
                "register your classes with @keras.saving.register_keras_serializable(), or load with "
                f"custom_objects={{{names}}}"
            ),
            Location(build.file),
            severity=Severity.WARNING,
        )


def _how(step: BuildStep) -> str:
    """What to do about a step that ended in no message of Keras's."""
    if step.status == "hung":
        return "find out what it waits for at that line, or give it longer with --timeout"
    if step.status == "crashed":
        return "look at that line: native code ended the process, or your code left it; a smaller model may show which part"
    if step.error == "SystemExit":
        return "have the function return the model; what ends the program belongs behind `if __name__ == '__main__':`"
    return "follow the message"


def _how_to_save(step: BuildStep) -> str:
    if step.status != "failed":
        return _how(step)
    if step.error == "Wrong":
        return "make every weight in build or __init__, so that it is saved, and keep no numbers of the model elsewhere"
    if "unexpected keyword argument" in step.message:
        return (
            "let the __init__ of your class take **kwargs and hand them to super().__init__, and give it a get_config with "
            "every argument of its own"
        )
    return "give your own layers a get_config with every argument of their __init__, and register their classes"
