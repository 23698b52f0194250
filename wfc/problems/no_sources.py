"""A folder or a project without a single source."""

from wfc.problems.problem import Problem
from wfc.text.names import listed
from wfc.text.value import value

_SHOWN = 3


@value(kw_only=True)
class NoSources(Problem):
    """A folder was named that holds no `.wf` file, or the project holds none.

    A folder on the command line stands for the `.wf` files that lie in it directly. Without a path, the whole project
    is searched, folders within folders; hidden folders, `node_modules`, the output folder and projects of their own (a
    folder with a `wfc.toml`) are left out.
    """

    project: bool = False
    elsewhere: tuple[str, ...] = ()

    def message(self) -> str:
        return f"there are no .wf files in this {'project' if self.project else 'folder'}"

    def help(self) -> tuple[str, ...]:
        if self.elsewhere:
            names = [f"`{path}`" for path in self.elsewhere[:_SHOWN]]
            if len(self.elsewhere) > _SHOWN:
                names.append("others")
            return (f"there are some below it: name {listed(names, 'or')}",)
        return ("`wfc new NAME` begins a project",) if self.project else ()
